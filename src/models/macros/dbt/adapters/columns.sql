{% macro get_columns_in_relation(relation) -%}
    {% do return(adapter.dispatch('get_columns_in_relation', 'dbt')(relation)) %}
{% endmacro %}

{% macro default__get_columns_in_relation(relation) -%}
    {% do exceptions.raise_not_implemented('get_columns_in_relation is not there for the adapter ' ~ adapter.type()) %}
{% endmacro %}

{# Rows of (name, type, length, precision, scale) as Columns. #}
{% macro sql_convert_columns_in_relation(table) -%}
    {% set found = [] %}
    {% for described in table %}
        {% do found.append(api.Column(*described)) %}
    {% endfor %}
    {% do return(found) %}
{% endmacro %}

{%- macro get_list_of_column_names(columns) -%}
    {% do return(columns | map(attribute='name') | list) %}
{% endmacro %}
