{{ config(unique_key='id', on_schema_change='whatever') }}
{{ events(1) }}
