{{ config(materialized='ephemeral') }}
select id, word || '!' as word from {{ ref('base') }}
