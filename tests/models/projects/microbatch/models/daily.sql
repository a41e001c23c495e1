{{ config(materialized='incremental', incremental_strategy='microbatch', event_time='happened_at', begin='2024-01-01',
          batch_size='day', lookback=1, unique_key='id' if target.type == 'postgres' else none) }}
select id, happened_at, round from {{ ref('events') }}
