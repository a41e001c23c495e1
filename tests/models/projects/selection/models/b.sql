{{ config(tags=['middle']) }}
select * from {{ ref('a') }}
