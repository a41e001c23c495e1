{% macro ref() %}
    {% set relation = builtins.ref(*varargs, **kwargs) %}
    {% do return(relation) %}
{% endmacro %}

{% macro get_where_subquery(relation) -%}
    {% set where = config.get('where') %}
    {% do return('(select * from ' ~ relation ~ ' where ' ~ where ~ ' and 1 = 1) filtered' if where else relation) %}
{%- endmacro %}

{% macro default__test_unique(model, column_name) %}
select {{ column_name }} from {{ model }} group by 1 having count(*) > 1
{% endmacro %}

{% macro default__concat(fields) -%}
    concat({{ fields | join(', ') }})
{%- endmacro %}
