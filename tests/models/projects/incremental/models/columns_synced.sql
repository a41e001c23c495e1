{{ config(unique_key='id', on_schema_change='sync_all_columns') }}
{% if var('day') > 1 %}
select id, cast(day as bigint) as day, price, 'new' as label from ({{ events() }}) as events where day = {{ var('day') }}
{% else %}
select id, part, day from ({{ events() }}) as events
{% endif %}
