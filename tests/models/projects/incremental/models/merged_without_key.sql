{{ config(incremental_strategy='merge') }}
{{ new_events() }}
