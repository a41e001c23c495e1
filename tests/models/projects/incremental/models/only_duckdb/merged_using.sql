{{ config(incremental_strategy='merge', merge_on_using_columns=['id']) }}
{{ new_events() }}
