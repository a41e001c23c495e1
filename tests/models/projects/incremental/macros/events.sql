{# The events that have arrived by the day of the run; from day 2 on there is a column more and a wider text. #}
{% macro events(day=none) %}
    {% set today = day or var('day') %}
    select 1 as id, 'a' as part, cast('first' as varchar(10)) as note, 1 as day {{ ", 1.5 as price" if today > 1 }}
    union all
    select 2, 'b', 'second', 1 {{ ", 2.5" if today > 1 }}
    {% if today > 1 %}
    union all
    select 2, 'b', 'second again', 2, 3.5
    union all
    select 3, 'b', 'third', 2, 4.5
    {% endif %}
{% endmacro %}

{% macro new_events() %}
    select id, part, note, day from ({{ events() }}) as events
    where day = {{ var('day') }}
{% endmacro %}
