{{ config(unique_key='id') }}
{{ new_events() }}
