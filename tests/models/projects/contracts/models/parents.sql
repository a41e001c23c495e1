{{ config(materialized='table') }}
select 'Ann' as name, 1 as id, cast(1.5 as numeric(10, 2)) as amount
union all
select 'Bob', 2, null
