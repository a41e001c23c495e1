{{ config(materialized='view' if var('day') == 1 else 'incremental') }}
{{ new_events() }}
