{{ config(materialized='ephemeral') }}
with one as (select * from {{ ref('between') }})
select id, upper(word) as word from one
