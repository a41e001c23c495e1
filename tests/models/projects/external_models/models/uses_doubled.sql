-- depends_on: {{ ref('doubled') }}
{{ config(materialized='table') }}
select * from {{ ref('doubled') }}(4, 'z')
