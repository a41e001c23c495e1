{{ config(incremental_strategy='merge', unique_key='id', merge_exclude_columns=['part'],
          merge_update_set_expressions={'day': 'DBT_INTERNAL_DEST.day + 10'},
          merge_update_condition='DBT_INTERNAL_SOURCE.id > 0', merge_insert_condition='DBT_INTERNAL_SOURCE.id < 100') }}
{{ new_events() }}
