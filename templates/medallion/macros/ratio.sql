{# Null where there is nothing to divide by. #}
{% macro ratio(part, whole, digits=4) -%}
    round(cast({{ part }} as double precision) / nullif({{ whole }}, 0), {{ digits }})
{%- endmacro %}
