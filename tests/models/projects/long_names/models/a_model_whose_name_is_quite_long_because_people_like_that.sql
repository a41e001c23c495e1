{{ config(materialized='table') }}
select 'first value' as a_column_with_a_long_name_as_well
