{{ config(unique_key='id', indexes=[{'columns': ['id'], 'unique': true}, {'columns': ['day', 'part']}]) }}
select id, part, day from ({{ new_events() }}) as fresh where id <> 2
