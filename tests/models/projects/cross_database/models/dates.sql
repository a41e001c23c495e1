{# each function on a day and on the end of a month #}
with days as (
    select cast('2024-01-31' as date) as day, cast('2024-03-15 10:20:30' as timestamp) as moment
)

select
    {{ dbt.date_trunc('month', 'day') }} as month_start,
    {% for part in ['day', 'week', 'month', 'quarter', 'year'] %}
    {% if part != 'quarter' or target.type == 'duckdb' -%}
    {{ dbt.dateadd(part, 2, 'day') }} as plus_{{ part }},
    {%- endif %}
    {{ dbt.datediff('day', 'moment', part) }} as diff_{{ part }},
    {{ dbt.datediff('moment', 'day', part) }} as back_{{ part }},
    {% endfor %}
    {% for part in ['hour', 'minute', 'second', 'millisecond', 'microsecond'] %}
    {{ dbt.datediff('day', 'moment', part) }} as diff_{{ part }},
    {% endfor %}
    {{ dbt.dateadd('HOUR' if target.type == 'duckdb' else 'hour', '-1 * 3', 'moment') }} as earlier,
    {{ dbt.last_day('day', 'month') }} as month_end,
    {{ dbt.last_day('day', 'quarter') }} as quarter_end,
    {{ dbt.last_day('day', 'year') }} as year_end,
    {{ dbt.date(2024, 2, 9) }} as built_day,
    {{ dbt.date_trunc('hour', 'moment') }} as hour_start
from days
