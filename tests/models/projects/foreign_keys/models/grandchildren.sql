{{ config(materialized='table') }}
select 100 as id, id as child_id from {{ ref('children') }}
