{{ config(materialized='table', event_time='happened_at') }}
{% for day in range(1, 6) %}
select {{ day }} as id, cast('2024-01-0{{ day }} 12:00:00' as timestamp) as happened_at, {{ var('round', 1) }} as round
{{ 'union all' if not loop.last }}
{% endfor %}
