{# The relations that a build needs beside its target; they differ from it by a suffix. #}

{% macro make_intermediate_relation(base_relation, suffix='__dbt_tmp') %}
    {% do return(adapter.dispatch('make_intermediate_relation', 'dbt')(base_relation, suffix)) %}
{% endmacro %}

{% macro default__make_intermediate_relation(base_relation, suffix) %}
    {% do return(default__make_temp_relation(base_relation, suffix)) %}
{% endmacro %}

{# Batches of one model may run at once, so each has a relation of its own. #}
{% macro make_temp_relation(base_relation, suffix='__dbt_tmp') %}
    {% set batched = suffix == '__dbt_tmp' and model is defined and model.batch %}
    {% set ending = suffix ~ '_' ~ model.batch.id if batched else suffix %}
    {% do return(adapter.dispatch('make_temp_relation', 'dbt')(base_relation, ending)) %}
{% endmacro %}

{% macro default__make_temp_relation(base_relation, suffix) %}
    {% do return(base_relation.incorporate(path={'identifier': base_relation.identifier ~ suffix})) %}
{% endmacro %}

{% macro make_backup_relation(base_relation, backup_relation_type, suffix='__dbt_backup') %}
    {% do return(adapter.dispatch('make_backup_relation', 'dbt')(base_relation, backup_relation_type, suffix)) %}
{% endmacro %}

{% macro default__make_backup_relation(base_relation, backup_relation_type, suffix) %}
    {% do return(base_relation.incorporate(
        path={'identifier': base_relation.identifier ~ suffix}, type=backup_relation_type)) %}
{% endmacro %}
