-- every view and table that a person may ask, column by column, with its comment; views first, they are the contract
select
    c.table_name,
    c.column_name,
    c.data_type,
    coalesce(c.comment, '')     as about,
    v.view_name is not null     as is_view
from duckdb_columns() c
left join duckdb_views() v on v.view_name = c.table_name and v.schema_name = c.schema_name and not v.internal
where not c.internal and c.schema_name = 'main'
order by is_view desc, c.table_name, c.column_index;
