{{ config(incremental_strategy='delete+insert', unique_key='id') }}
{{ new_events() }}
