{{ config(materialized='table', indexes=[{'columns': ['id'], 'unique': true}]
   if target.type == 'duckdb' else [{'columns': ['id'], 'unique': true}, {'columns': ['name'], 'type': 'hash'}]) }}
select 1 as id, 'a' as name
