{{ config(incremental_strategy='merge', unique_key='id', merge_update_columns=['note']) }}
{{ new_events() }}
