{{ config(incremental_strategy='delete+insert', unique_key=['id', 'part']) }}
{{ new_events() }}
