{{ config(incremental_strategy='append') }}
{{ new_events() }}
