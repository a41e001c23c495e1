{% macro generate_alias_name(custom_alias_name=none, node=none) -%}
    {%- do return(adapter.dispatch('generate_alias_name', 'dbt')(custom_alias_name, node)) -%}
{%- endmacro %}

{% macro default__generate_alias_name(custom_alias_name=none, node=none) -%}
    {%- if custom_alias_name -%}
        {{ custom_alias_name | trim }}
    {%- else -%}
        {{ node.name ~ ('_v' ~ node.version | replace('.', '_') if node.version else '') }}
    {%- endif -%}
{%- endmacro %}

{# The name under which the latest version of a versioned model is found. #}
{% macro generate_latest_version_pointer_alias(custom_alias_name=none, node=none) -%}
    {%- do return(adapter.dispatch('generate_latest_version_pointer_alias', 'dbt')(custom_alias_name, node)) -%}
{%- endmacro %}

{% macro default__generate_latest_version_pointer_alias(custom_alias_name=none, node=none) -%}
    {{ custom_alias_name | trim if custom_alias_name else node.name }}
{%- endmacro %}
