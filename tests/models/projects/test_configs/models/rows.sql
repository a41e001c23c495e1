{{ config(materialized='table') }}
select 1 as id, 'a' as word, 1 as parent
union all
select 2, 'b', 1
union all
select 2, null, 9
