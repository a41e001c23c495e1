{%- macro get_rename_sql(relation, new_name) -%}
    {%- do log('RENAME of ' ~ relation ~ ' to ' ~ new_name) -%}
    {{ adapter.dispatch('get_rename_sql', 'dbt')(relation, new_name) }}
{%- endmacro -%}

{%- macro default__get_rename_sql(relation, new_name) -%}
    {%- if relation.is_table -%}
        {{ get_rename_table_sql(relation, new_name) }}
    {%- elif relation.is_view -%}
        {{ get_rename_view_sql(relation, new_name) }}
    {%- elif relation.is_materialized_view -%}
        {{ get_rename_materialized_view_sql(relation, new_name) }}
    {%- else -%}
        {%- do exceptions.raise_compiler_error('get_rename_sql cannot rename a relation of type ' ~ relation.type) -%}
    {%- endif -%}
{%- endmacro -%}

{% macro rename_relation(from_relation, to_relation) -%}
    {% do return(adapter.dispatch('rename_relation', 'dbt')(from_relation, to_relation)) %}
{% endmacro %}

{% macro default__rename_relation(from_relation, to_relation) -%}
    {% set new_name = adapter.quote_as_configured(to_relation.identifier, 'identifier') %}
    {% call statement('rename_relation') -%}
        alter table {{ from_relation.render() }} rename to {{ new_name }}
    {%- endcall %}
{% endmacro %}
