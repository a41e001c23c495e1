{% macro generate_schema_name(custom_schema_name, node) %}{{ target.schema ~ ('_' ~ var('side') if var('side', none) else '') }}{% endmacro %}
