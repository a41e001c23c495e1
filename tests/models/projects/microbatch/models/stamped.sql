{# the bounds of a batch are datetimes #}
{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='happened_at', begin='2024-01-01',
          batch_size='day', unique_key='id' if target.type == 'postgres' else none) }}
select
    id,
    happened_at,
    {% if model.batch %}
    '{{ model.batch.id }} {{ model.batch.event_time_start.strftime('%d/%m') }} {{ (model.batch.event_time_end - model.batch.event_time_start).total_seconds() }}' as batch
    {% else %}
    'none' as batch
    {% endif %}
from {{ ref('events').render() }}
where happened_at < cast('2024-01-04' as timestamp)
