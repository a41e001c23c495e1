{{ config(unique_key='id', full_refresh=false) }}
{{ new_events() }}
