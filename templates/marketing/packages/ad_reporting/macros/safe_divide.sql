{#- Null, not an error and not infinity, where there is nothing to divide by. -#}
{% macro safe_divide(numerator, denominator) -%}
cast({{ numerator }} as double precision) / nullif(cast({{ denominator }} as double precision), 0)
{%- endmacro %}
