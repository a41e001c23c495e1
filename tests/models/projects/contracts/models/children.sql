{{ config(materialized='table') }}
select 1 as parent_id, 10 as id, 'first' as "order" from {{ ref('parents') }} where id = 1
