{{ config(materialized='materialized_view', on_configuration_change=var('policy', 'apply'),
          indexes=[{'columns': ['id'], 'unique': true}] + ([{'columns': ['word']}] if var('more', false) else [])) }}
select * from {{ ref('given') }}
