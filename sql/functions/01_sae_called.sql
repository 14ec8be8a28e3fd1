-- macro:   sae_called(wanted)
-- about:   full name of the SAE that a name or an alias stands for; an error if there is none. A name goes before an alias
create or replace macro sae_called(wanted) as coalesce(
    (select s.name from sae s where wanted in (s.name, s.alias) order by s.name <> wanted limit 1),
    error('no SAE named ' || wanted)
);
