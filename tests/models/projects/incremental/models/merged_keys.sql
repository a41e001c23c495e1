{{ config(incremental_strategy='merge', unique_key=['id', 'part']) }}
{{ new_events() }}
