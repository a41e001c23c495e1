{{ config(materialized='table') }}
select 1 as id, 'a' as word, cast('2024-01-01' as date) as day
union all
select 2, null, '2024-01-02'
