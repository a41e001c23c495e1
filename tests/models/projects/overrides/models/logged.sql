{{ config(materialized='logged_table') }}
select id from {{ ref('plain') }}
