{{ config(materialized='table') }}
{% call set_sql_header(config) %}
set {{ 'threads = 1' if target.type == 'duckdb' else "application_name = 'headed'" }};
{% endcall %}
select 1 as id
