{{ config(materialized='incremental', on_schema_change='append_new_columns') }}
select 10 as id, id as parent_id from {{ ref('parents') }}
{% if is_incremental() %}
where false
{% endif %}
