{{ config(materialized='incremental', unique_key='id', on_schema_change='append_new_columns') }}
select {{ var('day', 1) }} as day, {{ var('day', 1) }} as id
