{{ config(schema='Side ', alias=' other name ' | trim | replace(' ', '_')) }}
select {{ dbt.current_timestamp() }} as now, {{ dbt.type_string() | length }} as size, {{ dbt.concat(['1', '2']) }} as one
