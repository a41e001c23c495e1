{#- The sum of some columns over a group; 0 of none. -#}
{% macro sum_columns(columns) -%}
{%- if not columns -%}0{%- endif -%}
{%- for column in columns -%}
coalesce(sum({{ column }}), 0){{ ' + ' if not loop.last }}
{%- endfor -%}
{%- endmacro %}
