{# a macro sees the vars of the model that calls it #}
{% macro label(x) %}{{ var('prefix', 'not seen') }}-{{ x }}{% endmacro %}

{% macro overridden() %}{{ return(adapter.dispatch('overridden', 'tools')()) }}{% endmacro %}

{% macro default__overridden() %}from the package{% endmacro %}

{% macro default__right(string_text, length_expression) -%}
    substr({{ string_text }}, length({{ string_text }}) - {{ length_expression }} + 1)
{%- endmacro %}

{% test no_blanks(model, column_name) %}
select * from {{ model }} where {{ column_name }} like '% %'
{% endtest %}
