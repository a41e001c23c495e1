{{ config(incremental_strategy='insert_if_new', unique_key='id') }}
{{ new_events() }}
