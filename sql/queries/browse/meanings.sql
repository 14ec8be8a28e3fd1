-- what the columns of a view mean, in their order
select c.column_name, c.comment
from duckdb_columns() c
where c.table_name = $view and c.schema_name = 'main' and c.database_name = current_database()
order by c.column_index;
