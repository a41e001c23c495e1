{% macro duckdb__date(year, month, day) -%}
    make_date({{ year }}, {{ month }}, {{ day }})
{%- endmacro %}

{# A count times an interval of one, so that the count may be any expression; weeks are days and quarters months. #}
{% macro duckdb__dateadd(datepart, interval, from_date_or_timestamp) %}

    {% set part = datepart | lower -%}
    {%- set unit = {'quarter': 'month', 'week': 'day'}.get(part, part) -%}
    {%- set count = 'cast(' ~ interval ~ ' as bigint)' -%}
    {%- if unit != part -%}
        {%- set count = '(' ~ count ~ ' * ' ~ (3 if part == 'quarter' else 7) ~ ')' -%}
    {%- endif -%}
    ({{ from_date_or_timestamp }} + {{ count }} * interval 1 {{ unit }})
{%- endmacro %}

{% macro duckdb__datediff(first_date, second_date, datepart) -%}
    {% if datepart != 'week' %}
        (date_diff('{{ datepart }}', {{ first_date }}::timestamp, {{ second_date }}::timestamp ))
    {% else %}
            ({{ datediff(first_date, second_date, 'day') }} // 7 + case
            when date_part('dow', ({{ first_date }})::timestamp) <= date_part('dow', ({{ second_date }})::timestamp) then
                case when {{ first_date }} <= {{ second_date }} then 0 else -1 end
            else
                case when {{ first_date }} <= {{ second_date }} then 1 else 0 end
        end)
    {% endif %}
{%- endmacro %}

{% macro duckdb__last_day(date, datepart) -%}
    {%- if datepart != 'quarter' -%}
    {{ dbt.default_last_day(date, datepart) }}
    {%- else -%}
    {%- set next_start = dbt.dateadd('month', '3', dbt.date_trunc(datepart, date)) -%}
    -- duckdb dateadd does not support quarter interval.
    cast(
        {{ dbt.dateadd('day', '-1', next_start) }}
        as date)
    {%- endif -%}
{%- endmacro %}
