{% macro equals(expr1, expr2) %}
    {% do return(adapter.dispatch('equals', 'dbt')(expr1, expr2)) %}
{%- endmacro %}

{# Whether two nulls are equal is a flag of the project. #}
{% macro default__equals(expr1, expr2) -%}
{%- if not adapter.behavior.enable_truthy_nulls_equals_macro.no_warn -%}
    ({{ expr1 }} = {{ expr2 }})
{%- else %}
    case when (({{ expr1 }} = {{ expr2 }}) or ({{ expr1 }} is null and {{ expr2 }} is null))
        then 0
        else 1
    end = 0
{%- endif %}
{% endmacro %}
