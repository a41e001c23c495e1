{% macro default__test_accepted_values(model, column_name, values, quote=True) %}
{%- set mark = "'" if quote else "" -%}
{%- set listed = [] -%}
{%- for entry in values -%}
    {%- do listed.append(mark ~ entry ~ mark) -%}
{%- endfor %}

with all_values as (

    select
        {{ column_name }} as value_field,
        count(*) as n_records

    from {{ model }}
    group by {{ column_name }}

)

select *
from all_values
where value_field not in (
    {{ listed | join(',') }}
)

{% endmacro %}
