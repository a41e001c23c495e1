{% macro generate_schema_name(custom_schema_name=none, node=none) -%}
    {{ generate_schema_name_for_env(custom_schema_name, node) if target.name == 'prod' else dbt.generate_schema_name(custom_schema_name, node) | lower }}
{%- endmacro %}

{% macro default__generate_alias_name(custom_alias_name=none, node=none) -%}
    {{ 'my_' ~ (custom_alias_name or node.name) ~ ('_' ~ node.version if node.version else '') }}
{%- endmacro %}
