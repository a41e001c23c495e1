{% macro postgres__dateadd(datepart, interval, from_date_or_timestamp) %}

    {{ from_date_or_timestamp }} + ((interval '1 {{ datepart }}') * ({{ interval }}))

{% endmacro %}

{# A difference is that of a coarser part, in units of this one, and the difference of what is left. #}
{% macro postgres__datediff(first_date, second_date, datepart) %}
    {%- set steps = {
        'year': ['', 0, 'date', false],
        'quarter': ['year', 4, 'date', false],
        'month': ['year', 12, 'date', false],
        'hour': ['day', 24, 'timestamp', false],
        'minute': ['hour', 60, 'timestamp', false],
        'second': ['minute', 60, 'timestamp', true],
        'millisecond': ['minute', 60000, 'timestamp', true],
        'microsecond': ['minute', 60000000, 'timestamp', true],
    } -%}
    {%- if datepart in steps -%}
        {%- set coarser, units, kind, whole = steps[datepart] -%}
        {%- set above = datediff(first_date, second_date, coarser) ~ ' * ' ~ units ~ ' + ' if coarser else '' -%}
        {%- set shape = "floor(date_part('%s', (%s)::%s))" if whole else "date_part('%s', (%s)::%s)" -%}
        {%- set difference = above ~ shape % (datepart, second_date, kind) ~ ' - ' ~ shape % (datepart, first_date, kind) %}
        ({{ difference }})
    {% elif datepart == 'day' %}
        (({{ second_date }})::date - ({{ first_date }})::date)
    {% elif datepart == 'week' %}
        ({{ datediff(first_date, second_date, 'day') }} / 7 + case
            when date_part('dow', ({{ first_date }})::timestamp) <= date_part('dow', ({{ second_date }})::timestamp) then
                case when {{ first_date }} <= {{ second_date }} then 0 else -1 end
            else
                case when {{ first_date }} <= {{ second_date }} then 1 else 0 end
        end)
    {% else %}
        {% do exceptions.raise_compiler_error("datediff of PostgreSQL knows no datepart '" ~ datepart ~ "'") %}
    {% endif %}
{%- endmacro %}

{% macro postgres__last_day(date, datepart) -%}
    {%- if datepart != 'quarter' -%}
    {{ dbt.default_last_day(date, datepart) }}
    {%- else -%}
    {%- set next_start = dbt.dateadd('month', '3', dbt.date_trunc(datepart, date)) -%}
    -- postgres dateadd does not support quarter interval.
    cast(
        {{ dbt.dateadd('day', '-1', next_start) }}
        as date)
    {%- endif -%}
{%- endmacro %}
